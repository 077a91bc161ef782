"""What the demo sets up at WeChat: menus and templates of its accounts."""
