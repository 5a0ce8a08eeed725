# Titles with small edits, a line each. The page: how-to/titles-names-and-product-names.md
# Extras: edit
printf 'The old bridge at Quillmouth\nThe old bridge of Quillmouth\nA market in the grain hall\n' > titles.txt
dedup find titles.txt --format lines --metric edit --threshold 0.9 --count | grep '^1'
