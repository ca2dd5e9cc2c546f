#!/usr/bin/env python3
"""Makes the README's call and compares the answer: .ci/readme.py README.md 127.0.0.1:50051

The request is the text between <<'JSON' and JSON of the first grpcurl call; the answer is the first block
marked json after it. Which word lists are in force (`lexiconDigest`) is not compared.
"""
import json
import re
import subprocess
import sys
import tempfile

readme, address = sys.argv[1:]
with open(readme, encoding="utf-8") as file:
    page = file.read()
call = re.search(r"grpcurl .*? (\S+) <<'JSON'\n(.*?)\nJSON\n.*?```json\n(.*?)```", page, re.DOTALL)
method, request, shown = call.groups()
with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as body:
    body.write(request)
    body.flush()
    curl = ["buf", "curl", "--http2-prior-knowledge", "--protocol", "grpc", "-d", "@" + body.name, f"http://{address}/{method}"]
    answer = json.loads(subprocess.run(curl, check=True, capture_output=True).stdout)
shown = json.loads(shown)
for report in (answer["report"], shown["report"]):
    report["engine"].pop("lexiconDigest")
if answer != shown:
    sys.exit("the README's answer is not what the server says:\n" + json.dumps(answer, indent=2, ensure_ascii=False))
print("the README's call gives the README's answer")
