"""Faults under load: the product is killed, frozen and cut off while clients use it, then judged.

The judge believes the clients' own history, the final database and the stand-in's books; it never
asks the application whether all is well. A time-out is an unknown outcome, never a failure.
"""
