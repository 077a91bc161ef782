"""What the ledger does. Every action on money takes a list of commands and answers each in order.

A command's answer is its result, or the named fact that stood in its way; a refused command moves
nothing and leaves its neighbours alone.
"""
