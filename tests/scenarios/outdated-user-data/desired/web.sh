#!/bin/sh
exec /opt/web/run
