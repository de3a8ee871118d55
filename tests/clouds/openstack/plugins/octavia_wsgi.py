"""Octavia's API as uwsgi wants it, with the configuration that OCTAVIA_CONF names."""

import os

from octavia.api.app import setup_app

app = setup_app(argv=["octavia-api", "--config-file", os.environ["OCTAVIA_CONF"]])
