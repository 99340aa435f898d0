import AiboxSystem

/// The labels that tell what an image is. `org.opencontainers.image.*`: OCI image specification, annotations.
public enum ImageLabel {
    public static let title = "org.opencontainers.image.title"
    public static let description = "org.opencontainers.image.description"
    /// RFC 3339. Later is newer: `aibox update` goes by it.
    public static let created = "org.opencontainers.image.created"
    public static let version = "org.opencontainers.image.version"
    /// The recipe's name.
    public static let name = "aibox.image.name"
    /// The recipe's version.
    public static let recipeVersion = "aibox.image.version"
    /// The digest of the recipe (64 hexadecimal digits).
    public static let recipe = "aibox.image.recipe"
    /// The digest of the list of installed packages and versions.
    public static let packages = "aibox.image.packages"
    /// `bookworm-amd64`
    public static let release = "aibox.image.release"

    static func of(_ recipe: ImageRecipe, digest: ImageDigest, packages: ImageDigest, release: String, created: Int)
        -> [String: String]
    {
        [
            Self.title: "aibox \(recipe.name)",
            Self.description: recipe.description,
            Self.created: moment(created),
            Self.version: String(recipe.version),
            Self.name: recipe.name,
            Self.recipeVersion: String(recipe.version),
            Self.recipe: digest.hexadecimal,
            Self.packages: packages.hexadecimal,
            Self.release: release,
        ]
    }

    /// `2026-03-01T09:30:00Z`
    static func moment(_ seconds: Int) -> String {
        String(Timestamp(seconds: Int64(seconds)).rfc3339.prefix(19)) + "Z"
    }
}
