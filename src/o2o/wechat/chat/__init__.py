"""How a chat message is understood: asks, command words, dialogues, the order of stages."""
