# A table that a spreadsheet saved with semicolons, in its own encoding. The page: how-to/files-and-formats.md
printf 'Nr;Titel;Text\n1;Br\374cke;Die Br\374cke in Quillmouth ist bis Freitag gesperrt.\n2;Markt;Der Markt ist am Samstag.\n3;Br\374cke;Die Br\374cke in Quillmouth ist bis Freitag gesperrt.\n' > table.csv
dedup find table.csv --column Text --id Nr --encoding cp1252 --output report
dedup apply report --output clean
test "$(wc -l < clean/table.csv)" -eq 3
head -1 clean/table.csv | grep '^Nr;Titel;Text'
