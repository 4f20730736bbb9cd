"""The four steps put together: registry -> fetch -> process -> publish, and the generations that readers open.

Nothing but the command line, the composed application and the portal may import this room.
"""
