import AiboxConfig

/// What Maven, Gradle and NuGet read of a mirror, each at a place for the whole machine: what a user's or a project's own
/// settings say goes before it, or stays beside it. A URL has no character that XML or Groovy reads otherwise (`PackageMirror`).
enum MirrorFiles {
    /// The global settings of Debian's Maven, whose `conf` leads there.
    static let mavenPath = "/etc/maven/settings.xml"
    /// Of Debian's Gradle: `init.d` of its own folder.
    static let gradlePath = "/usr/share/gradle/init.d/aibox.init.gradle"
    /// Every file there that ends so is read (learn.microsoft.com/nuget/consume-packages/configuring-nuget-behavior).
    static let nugetPath = "/etc/opt/NuGet/Config/aibox.config"

    static let purposes = ["maven", "gradle", "nuget"]

    /// nil where variables are enough.
    static func file(for manager: PackageMirror.Manager, _ url: String) -> SettingsFile? {
        switch manager {
        case .pip, .npm, .go, .cargo: nil
        case .maven: SettingsFile("maven", maven(url), mavenPath)
        case .gradle: SettingsFile("gradle", gradle(url), gradlePath)
        case .nuget: SettingsFile("nuget", nuget(url), nugetPath)
        }
    }

    /// In the place of Maven Central, for dependencies and plugins; repositories of other ids stay as they are
    /// (maven.apache.org/guides/mini/guide-mirror-settings.html). A mirror's own address may be plain HTTP: what Maven
    /// blocks from 3.8.1 on is repositories, by the mirror that the file it came with has, and this one has it too
    /// (maven.apache.org/docs/3.8.1/release-notes.html).
    private static func maven(_ url: String) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <!-- Written by aibox: Maven Central is asked by way of a mirror. -->
        <settings xmlns="http://maven.apache.org/SETTINGS/1.0.0">
          <mirrors>
            <mirror>
              <id>aibox</id>
              <mirrorOf>central</mirrorOf>
              <url>\(url)</url>
            </mirror>
            <mirror>
              <id>maven-default-http-blocker</id>
              <mirrorOf>external:http:*</mirrorOf>
              <url>http://0.0.0.0/</url>
              <blocked>true</blocked>
            </mirror>
          </mirrors>
        </settings>

        """
    }

    /// In the place of Maven Central and the plugin portal, wherever a build names them, and where it names no repository
    /// of plugins at all (docs.gradle.org, "Initialization Scripts" and "Using Plugins", "Custom Plugin Repositories").
    /// `allowInsecureProtocol` and `beforeSettings` are there since 6.0, `dependencyResolutionManagement` since 6.8.
    private static func gradle(_ url: String) -> String {
        """
        // Written by aibox: Maven Central and the plugin portal are asked by way of a mirror.
        import org.gradle.api.artifacts.repositories.MavenArtifactRepository
        import org.gradle.util.GradleVersion

        def mirror = '\(url)'
        def replaced = [
            'https://repo.maven.apache.org/maven2', 'https://repo1.maven.org/maven2', 'https://plugins.gradle.org/m2'
        ]
        def isSince = { version -> GradleVersion.current().baseVersion >= GradleVersion.version(version) }
        def lead = { repositories ->
            repositories.all { repository ->
                if (!(repository instanceof MavenArtifactRepository)) return
                if (!replaced.contains(repository.url.toString().replaceAll('/+$', ''))) return
                repository.url = new URI(mirror)
                if (isSince('6.0')) repository.allowInsecureProtocol = true
            }
        }
        def leadSettings = { settings ->
            lead(settings.pluginManagement.repositories)
            if (isSince('6.8')) lead(settings.dependencyResolutionManagement.repositories)
        }
        if (isSince('6.0')) beforeSettings { settings -> leadSettings(settings) }
        settingsEvaluated { settings ->
            if (!isSince('6.0')) leadSettings(settings)
            def plugins = settings.pluginManagement.repositories
            if (plugins.empty) plugins.gradlePluginPortal()
        }
        allprojects {
            lead(buildscript.repositories)
            lead(repositories)
        }

        """
    }

    /// In the place of nuget.org. Plain HTTP has to be allowed from NuGet 6.12 on
    /// (learn.microsoft.com/nuget/reference/errors-and-warnings/nu1302); which protocol a source speaks, NuGet sees in its URL.
    private static func nuget(_ url: String) -> String {
        let insecure = url.hasPrefix("http://") ? #" allowInsecureConnections="true""# : ""
        return """
            <?xml version="1.0" encoding="utf-8"?>
            <!-- Written by aibox: packages come by way of a mirror. -->
            <configuration>
              <packageSources>
                <add key="aibox" value="\(url)"\(insecure) />
              </packageSources>
              <disabledPackageSources>
                <add key="nuget.org" value="true" />
              </disabledPackageSources>
            </configuration>

            """
    }
}
