/// Rows of cells as text: aligned columns on a terminal, tab-separated when piped.
enum TextTable {
    /// - Parameters:
    ///   - header: the columns' headings, shown on a terminal only.
    ///   - rows: cells without control characters.
    static func render(header: [String]?, _ rows: [[String]], _ audience: Audience) -> String {
        guard audience.isTerminal else { return rows.map { $0.joined(separator: "\t") + "\n" }.joined() }
        if rows.isEmpty { return "" }
        let all = (header.map { [$0] } ?? []) + rows
        let widths = fitted(natural(all), to: audience.width)
        var text = ""
        for (index, row) in all.enumerated() {
            let line = line(row, widths)
            let isHeader = header != nil && index == 0
            text += isHeader && audience.colours ? "\u{1b}[1m" + line + "\u{1b}[0m\n" : line + "\n"
        }
        return text
    }

    private static let gap = "  "

    private static func natural(_ rows: [[String]]) -> [Int] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return widths
    }

    /// Takes from the widest column until the line fits; a column keeps at least eight characters.
    private static func fitted(_ widths: [Int], to width: Int) -> [Int] {
        var widths = widths
        var excess = widths.reduce(0, +) + gap.count * max(0, widths.count - 1)
        excess = width == .max ? 0 : excess - width
        while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            let others = widths.enumerated().filter { $0.offset != widest }.map(\.element).max() ?? 0
            let step = min(excess, max(1, widths[widest] - max(others, 8)), widths[widest] - 8)
            widths[widest] -= step
            excess -= step
        }
        return widths
    }

    private static func line(_ row: [String], _ widths: [Int]) -> String {
        var line = ""
        for (column, cell) in row.enumerated() {
            let shown = cell.count > widths[column] ? cell.prefix(widths[column] - 1) + "…" : cell[...]
            if column > 0 { line += gap }
            line += shown
            if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - shown.count) }
        }
        return line
    }
}
