# A web service that says whether a text was seen before. The page: how-to/index-behind-a-web-service.md
# Packages: starlette uvicorn
EXAMPLES="${EXAMPLES:-docs/examples}"
PORT=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
dedup index create seen.index
python "$EXAMPLES/seen_service.py" &
WRITER=$!
python -m uvicorn --app-dir "$EXAMPLES" seen_service:app --workers 2 --port "$PORT" --log-level warning &
SERVER=$!
trap 'kill "$WRITER" "$SERVER"; wait' EXIT
python - "http://127.0.0.1:$PORT" <<'PYTHON'
import json, sys, time
from urllib.error import URLError
from urllib.request import urlopen

letter = b"The swing bridge at Quillmouth is closed until Friday evening."

def ask(address):
    for _ in range(600):  # until the service is there
        try:
            return json.load(urlopen(sys.argv[1] + address, data=letter))
        except URLError:
            time.sleep(0.1)
    raise SystemExit("the service does not answer")

assert ask("/ask") == {"seen": False}
ask("/remember?id=letter-1")
for _ in range(600):  # until it is committed
    answer = ask("/ask")
    if answer["seen"]:
        break
    time.sleep(0.1)
assert answer == {"seen": True, "id": "letter-1", "similarity": 1.0}, answer
PYTHON
