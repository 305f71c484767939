# Draws start.svg. Input: MODE NAME COUNT P10 MEDIAN P90 FAILED, separated by tabs, microseconds; MODE is loop or apart.
# A dot is the median, its line goes from the 10th to the 90th of a hundred; the axis is logarithmic, because the
# programs are two orders of magnitude apart.
BEGIN { FS = "\t"; left = 110; right = 60; width = 760; row = 44; top = 62 }
!($2 in place) { place[$2] = ++rows; label[rows] = $2 }
{
    low[$1, $2] = $4; middle[$1, $2] = $5; high[$1, $2] = $6
    if (!smallest || $4 < smallest) smallest = $4
    if ($6 > largest) largest = $6
}
function log10(v) { return log(v) / log(10) }
function x(us) { return left + (log10(us) - from) / (to - from) * (width - left - right) }
function draw(mode, name, y, fill,   ms) {
    if (!((mode, name) in middle)) return
    ms = middle[mode, name] / 1000
    printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#1f5f8b\" stroke-width=\"2\"/>\n", x(low[mode, name]), x(high[mode, name]), y, y
    printf "<circle cx=\"%.1f\" cy=\"%d\" r=\"5\" fill=\"%s\" stroke=\"#1f5f8b\" stroke-width=\"2\"/>\n", x(middle[mode, name]), y, fill
    printf "<text x=\"%.1f\" y=\"%d\" font-size=\"11\" fill=\"#333\">%s</text>\n", x(high[mode, name]) + 9, y + 4, sprintf(ms < 10 ? "%.2f" : ms < 100 ? "%.1f" : "%.0f", ms)
}
END {
    if (!rows) exit 1
    from = log10(smallest) - 0.05; to = log10(largest) + 0.05
    bottom = top + rows * row
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n", width, bottom + 40
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, bottom + 40
    print "<text x=\"16\" y=\"24\" font-size=\"15\">One start of a container, milliseconds (logarithmic): median, 10th to 90th of 100</text>"
    print "<circle cx=\"24\" cy=\"43\" r=\"5\" fill=\"#1f5f8b\" stroke=\"#1f5f8b\" stroke-width=\"2\"/><text x=\"35\" y=\"47\" font-size=\"12\">back to back</text>"
    print "<circle cx=\"134\" cy=\"43\" r=\"5\" fill=\"#fff\" stroke=\"#1f5f8b\" stroke-width=\"2\"/><text x=\"145\" y=\"47\" font-size=\"12\">100 ms apart</text>"
    for (decade = 1; decade <= 10000000; decade *= 10)
        for (step = 1; step < 10; step++) {
            us = decade * step
            if (log10(us) < from || log10(us) > to) continue
            printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"%s\"/>\n", x(us), x(us), top, bottom, step == 1 ? "#999" : "#e4e4e4"
            if (step == 1 || step == 2 || step == 5)
                printf "<text x=\"%.1f\" y=\"%d\" font-size=\"11\" text-anchor=\"middle\" fill=\"#333\">%s</text>\n", x(us), bottom + 16, us / 1000
        }
    for (i = 1; i <= rows; i++) {
        y = top + (i - 1) * row
        printf "<text x=\"%d\" y=\"%d\" font-size=\"13\" text-anchor=\"end\"%s>%s</text>\n", left - 12, y + row / 2 + 4, label[i] == "mydocker" ? " font-weight=\"bold\"" : "", label[i]
        draw("loop", label[i], y + 14, "#1f5f8b")
        draw("apart", label[i], y + 31, "#fff")
    }
    print "</svg>"
}
