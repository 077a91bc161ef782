"""The control API `/_sandbox/…`: how phones, demos and checks act for people and steer things."""
