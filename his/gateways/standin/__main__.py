"""``python -m his.gateways.standin --port 8099``: run the stand-in servers; refused in production."""

from __future__ import annotations

import argparse
import os
import sys

from werkzeug.serving import make_server

from his.gateways.standin.app import create_app

if __name__ == "__main__":
    if os.environ.get("HIS_ENV") == "production":
        sys.exit("Máy chủ giả lập không chạy ở môi trường production.")
    parser = argparse.ArgumentParser(description="Stand-in servers for tests and demo")
    parser.add_argument("--port", type=int, default=8099)
    make_server("127.0.0.1", parser.parse_args().port, create_app(), threaded=True).serve_forever()
