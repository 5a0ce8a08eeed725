# Scanned pages with wrong letters. The page: how-to/scanned-text.md
python - <<'PYTHON'
import json, random
random.seed(1)
words = "bridge market winter hall harbour river council evening friday closed opened repair lantern ferry".split()
with open("pages.jsonl", "w") as file:
    for page in range(40):
        text = " ".join(random.choice(words) + random.choice("abcdefgh") for _ in range(120))
        for copy in range(2 if page < 5 else 1):
            noisy = "".join("x" if copy and random.random() < 0.03 else c for c in text)
            file.write(json.dumps({"text": noisy}) + "\n")
PYTHON
dedup find pages.jsonl --shingle chars:5 --threshold 0.5 --count | grep '^5'
