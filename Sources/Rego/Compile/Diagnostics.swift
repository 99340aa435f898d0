/// Collects the errors of one compilation and names their places.
final class Diagnostics {
    let files: [String]
    private(set) var errors: [RegoError] = []

    init(files: [String]) { self.files = files }

    func make(_ code: RegoError.Code, _ location: Location, _ message: String) -> RegoError {
        let file = location.file >= 0 && Int(location.file) < files.count ? files[Int(location.file)] : ""
        return RegoError(
            code: code, message: message, file: file, row: Int(location.row), column: Int(location.column))
    }

    func report(_ code: RegoError.Code, _ location: Location, _ message: String) {
        let error = make(code, location, message)
        if !errors.contains(error) { errors.append(error) }
    }

    /// Ends a stage: what it reported stops the compilation.
    func check() throws(RegoErrors) {
        if !errors.isEmpty { throw RegoErrors(Array(errors.prefix(10))) }
    }
}
