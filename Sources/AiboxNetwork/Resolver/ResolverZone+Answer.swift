extension ResolverZone {
    /// The answer to a query: what every rendered resolver has to give, in one place.
    ///
    /// Address of the gateway for A, an empty answer for other types of a listed name, NXDOMAIN for all
    /// else; REFUSED outside the Internet class and for what is no plain question.
    public func answer(_ query: DNSMessage) -> DNSMessage {
        guard !query.isResponse, query.questions.count == 1, query.questions[0].recordClass == 1 else {
            return query.response(.refused)
        }
        let question = query.questions[0]
        guard !question.name.labels.contains(where: { $0.contains(UInt8(ascii: ".")) }) else {
            return query.response(.nameError)
        }
        let text = question.name.labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        guard let name = try? HostName(wire: Array(text.utf8)), resolves(name) else {
            return query.response(.nameError)
        }
        guard question.type == .a, case .v4 = address else { return query.response(.noError) }
        let record = DNSMessage.Record(name: question.name, type: .a, timeToLive: 60, data: address.bytes)
        return query.response(.noError, answers: [record])
    }
}
