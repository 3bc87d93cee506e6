"""How fast a surrogate is, and whether it became slower: measuring, the paired gate, history.

Nothing here imports a framework: measuring happens in fresh processes.
"""
