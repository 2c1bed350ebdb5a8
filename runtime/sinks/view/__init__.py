"""A web page that shows, while it runs, what each camera sees, and how late."""
