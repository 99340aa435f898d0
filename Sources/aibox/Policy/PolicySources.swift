import AiboxSystem
import Rego

/// The files of a policy: modules, and a data document.
enum PolicySources {
    /// Every `.rego` file named or below a folder named, sorted by path.
    static func files(_ paths: [String]) throws -> [String] {
        var files: [String] = []
        for path in paths {
            if File.isDirectory(path) {
                try collect(path, into: &files)
            } else {
                guard File.exists(path) else {
                    throw AiboxError(.usage, "cannot read \(SafeText.escaped(path))", why: "there is no such file")
                }
                files.append(path)
            }
        }
        return files.sorted()
    }

    private static func collect(_ folder: String, into files: inout [String]) throws {
        for name in try Folder.names(folder) {
            let path = folder + "/" + name
            if File.isDirectory(path) {
                try collect(path, into: &files)
            } else if name.hasSuffix(".rego") {
                files.append(path)
            }
        }
    }

    static func modules(_ paths: [String]) throws -> [Engine.Module] {
        let files = try files(paths)
        if files.isEmpty {
            throw AiboxError(
                .usage, "there is no policy to read", why: "no .rego file in \(paths.joined(separator: ", "))")
        }
        return try files.map { Engine.Module(name: $0, text: try File.readRegular($0)) }
    }

    /// The bytes of a JSON file; `-` is standard input.
    static func document(_ path: String?) throws -> [UInt8]? {
        guard let path else { return nil }
        return try File.read(path == "-" ? "/dev/stdin" : path, limit: 256 << 20)
    }

    /// Runs work of the engine and turns its errors into ours, every one with its place.
    static func reporting<Result>(_ what: String, _ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let errors as RegoErrors {
            throw AiboxError(
                .policyInvalid, what, why: SafeText.escaped(errors.description, keepingLines: true))
        } catch let error as RegoError {
            throw AiboxError(.policyInvalid, what, why: SafeText.escaped(error.description, keepingLines: true))
        }
    }
}
