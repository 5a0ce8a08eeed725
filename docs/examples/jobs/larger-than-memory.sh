# Three files within a bound on memory; MEGABYTES is their size each. The page: how-to/corpora-larger-than-memory.md
python - "${MEGABYTES:-2}" <<'PYTHON'
import json, random, sys
random.seed(1)
words = [f"word{number}" for number in range(20_000)]
for name in "abc":
    with open(f"{name}.jsonl", "w") as file:
        while file.tell() < int(sys.argv[1]) * 1_000_000:
            text = " ".join(random.choices(words, k=200))
            for _ in range(1 + (random.random() < 0.1)):
                file.write(json.dumps({"text": text}) + "\n")
PYTHON
dedup find a.jsonl b.jsonl c.jsonl --memory 1GB --output report
dedup apply report --output clean
test "$(cat clean/*.jsonl | wc -l)" -lt "$(cat a.jsonl b.jsonl c.jsonl | wc -l)"
