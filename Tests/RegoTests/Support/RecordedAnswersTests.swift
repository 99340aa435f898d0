import Testing

@testable import Rego

/// Every row is what OPA 1.20.2 answers, values and messages alike.
struct RecordedAnswersTests {
    @Test("Numbers come out digit for digit", arguments: SupportCall.rows(NumberRows.text))
    func numbers(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("Format directives print what Go prints", arguments: SupportCall.rows(FormatRows.text))
    func formats(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("String functions work on code points", arguments: SupportCall.rows(TextRows.text))
    func texts(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("Expressions match, fail and complain alike", arguments: SupportCall.rows(RegexRows.text))
    func expressions(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("Globs respect delimiters", arguments: SupportCall.rows(GlobRows.text))
    func globs(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("Times follow zones and layouts", arguments: SupportCall.rows(TimeRows.text))
    func times(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("Encodings, digests, addresses and units agree", arguments: SupportCall.rows(EncodingRows.text))
    func encodings(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("URIs fall into the same parts", arguments: SupportCall.rows(URIRows.text))
    func uris(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("YAML reads and writes alike", arguments: SupportCall.rows(YAMLRows.text))
    func yaml(row: SupportCall.Row) throws { #expect(try SupportCall.answer(row) == row.expected) }

    @Test("Tables are read whole")
    func tablesAreWhole() {
        #expect(SupportCall.rows(NumberRows.text).count == 300)
        #expect(SupportCall.rows(FormatRows.text).count == 300)
        #expect(SupportCall.rows(TextRows.text).count == 200)
        #expect(SupportCall.rows(RegexRows.text).count == 400)
        #expect(SupportCall.rows(GlobRows.text).count == 250)
        #expect(SupportCall.rows(TimeRows.text).count == 350)
        #expect(SupportCall.rows(EncodingRows.text).count == 500)
        #expect(SupportCall.rows(URIRows.text).count == 67)
        #expect(SupportCall.rows(YAMLRows.text).count == 36)
    }
}
