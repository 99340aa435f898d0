import AiboxContainer
import AiboxEmbedded
import Testing

/// The profile that ships.
func embeddedProfile() throws -> SeccompProfile {
    try SeccompProfile(parsing: try #require(EmbeddedFile.bytes("configs/seccomp/aibox.json")))
}
