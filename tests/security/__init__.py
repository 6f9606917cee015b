"""What strangers get, and what is never written down."""
