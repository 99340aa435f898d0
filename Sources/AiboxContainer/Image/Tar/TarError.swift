import AiboxSystem

extension AiboxError {
    static func badArchive(_ why: String) -> AiboxError {
        AiboxError(.failed, "cannot read the file system archive", why: why)
    }
}
