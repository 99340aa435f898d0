#include "CEmbedded.h"
#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

// Every file under configs and aibox-policies/org, in alphabetical order: its bytes here, its row in the
// table below. A test fails and prints what to add when one is missing.
static const unsigned char configs_apparmor_aibox_sandbox[] = {
#embed "../../configs/apparmor/aibox-sandbox"
};
static const unsigned char configs_seccomp_aibox_json[] = {
#embed "../../configs/seccomp/aibox.json"
};
static const unsigned char configs_templates_dev_yaml[] = {
#embed "../../configs/templates/dev.yaml"
};
static const unsigned char configs_templates_enterprise_yaml[] = {
#embed "../../configs/templates/enterprise.yaml"
};
static const unsigned char configs_templates_minimal_yaml[] = {
#embed "../../configs/templates/minimal.yaml"
};

#define ROW(path, bytes) {path, bytes, sizeof bytes}

static const struct {
    const char *path;
    const unsigned char *bytes;
    size_t length;
} files[] = {
    ROW("configs/apparmor/aibox-sandbox", configs_apparmor_aibox_sandbox),
    ROW("configs/seccomp/aibox.json", configs_seccomp_aibox_json),
    ROW("configs/templates/dev.yaml", configs_templates_dev_yaml),
    ROW("configs/templates/enterprise.yaml", configs_templates_enterprise_yaml),
    ROW("configs/templates/minimal.yaml", configs_templates_minimal_yaml),
};

static const size_t count = sizeof files / sizeof files[0];

const unsigned char *aibox_embedded_file(const char *path, size_t *length) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, path) == 0) {
            *length = files[i].length;
            return files[i].bytes;
        }
    }
    return NULL;
}

const char *aibox_embedded_path(size_t number) { return number < count ? files[number].path : NULL; }
