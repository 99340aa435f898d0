import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Read, check and change the settings.",
        subcommands: [
            ConfigList.self, ConfigGet.self, ConfigSet.self, ConfigValidate.self, ConfigInit.self, ConfigMigrate.self,
            ConfigDocs.self,
        ]
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions
}
