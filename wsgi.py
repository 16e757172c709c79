"""The WSGI application, for any server that asks for one."""

from connector.app import create_app

app = create_app()
