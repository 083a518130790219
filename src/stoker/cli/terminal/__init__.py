"""What people see: results as ``text``, progress on a ``screen`` (``live_screen`` on a terminal)."""
