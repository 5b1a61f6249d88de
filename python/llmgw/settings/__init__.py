"""What a user may write, and how it is read: text → tree → structs, every problem told with its place."""
