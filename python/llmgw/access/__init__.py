"""Who may call: virtual keys."""
