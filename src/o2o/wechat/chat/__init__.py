"""How a chat message is understood: what is asked, command words, dialogues, the order of stages."""
