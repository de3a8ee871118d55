"""What a balancer's machine of a double answers where it listens: it lives, and has nothing to serve."""
from http.server import BaseHTTPRequestHandler


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503)

    def log_message(self, *_):
        pass
