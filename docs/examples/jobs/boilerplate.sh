# Menus and footers of a scraped site, cut out everywhere. The page: how-to/boilerplate.md
python - <<'PYTHON'
import json
with open("pages.jsonl", "w") as file:
    for page in range(6):
        body = f"Report number {page} of the harbour office says what happened there on day {page} of the month."
        file.write(json.dumps({"text": f"Home News Sport Weather Contact us here\n\n{body}\n\nCopyright of the harbour office, all rights reserved"}) + "\n")
PYTHON
dedup find pages.jsonl --unit paragraph --keep none --output report
dedup apply report --output clean
if grep Copyright clean/pages.jsonl; then exit 1; fi
test "$(grep -c 'Report number' clean/pages.jsonl)" -eq 6
