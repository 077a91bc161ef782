"""Pages and endpoints of the exchange with WeChat: OAuth and the JS-SDK."""
