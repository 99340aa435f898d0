/// Reads dpkg's database of installed packages (`/var/lib/dpkg/status`, deb822 stanzas).
enum DpkgStatus {
    /// Version by package name. A package of a foreign architecture is named `NAME:ARCHITECTURE`.
    static func versions(_ text: some Sequence<UInt8>, architecture: String) -> [String: String] {
        var result: [String: String] = [:]
        var fields: [Substring: Substring] = [:]
        func close() {
            if let name = fields["Package"], let version = fields["Version"],
                fields["Status"]?.hasSuffix(" installed") == true
            {
                let machine = fields["Architecture"].map(String.init) ?? "all"
                let own = machine == architecture || machine == "all"
                result[own ? String(name) : "\(name):\(machine)"] = String(version)
            }
            fields = [:]
        }
        for line in String(decoding: Array(text), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.isEmpty {
                close()
                continue
            }
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), line.utf8.first != UInt8(ascii: " ") else {
                continue
            }
            let key = line[..<colon]
            if ["Package", "Version", "Status", "Architecture"].contains(key) {
                fields[key] = line[line.index(after: colon)...].drop { $0 == " " }
            }
        }
        close()
        return result
    }

    /// One line a package, sorted: the text whose digest an image carries as `aibox.image.packages`.
    static func manifest(_ versions: [String: String]) -> String {
        versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
    }
}
