"""The path of one request, and the compiled configuration that it follows."""
