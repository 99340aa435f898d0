/// Reads dpkg's database of installed packages (`/var/lib/dpkg/status`, deb822 stanzas).
enum DpkgStatus {
    /// Version by package name. A package that is not of dpkg's own architecture is named `NAME:ARCHITECTURE`.
    static func versions(_ text: [UInt8]) -> [String: String] {
        let packages = stanzas(text)
        let native = packages.first { $0.name == "dpkg" }?.architecture ?? "all"
        var result: [String: String] = [:]
        for package in packages {
            let isOwn = package.architecture == native || package.architecture == "all"
            result[isOwn ? package.name : "\(package.name):\(package.architecture)"] = package.version
        }
        return result
    }

    /// One line a package, sorted: the text whose digest an image carries as `aibox.image.packages`.
    static func manifest(_ versions: [String: String]) -> String {
        versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
    }

    private struct Package {
        var name: String
        var version: String
        var architecture: String
    }

    /// The installed packages.
    private static func stanzas(_ text: [UInt8]) -> [Package] {
        var packages: [Package] = []
        var fields: [Substring: Substring] = [:]
        func close() {
            if let name = fields["Package"], let version = fields["Version"],
                fields["Status"]?.hasSuffix(" installed") == true
            {
                packages.append(
                    Package(
                        name: String(name), version: String(version),
                        architecture: fields["Architecture"].map(String.init) ?? "all"))
            }
            fields = [:]
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                close()
                continue
            }
            guard line.utf8.first != UInt8(ascii: " "), let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                continue
            }
            switch line[..<colon] {
            case "Package", "Version", "Status", "Architecture":
                fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
            default: break
            }
        }
        close()
        return packages
    }
}
