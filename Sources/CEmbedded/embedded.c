#include "CEmbedded.h"
#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

// Every file under configs, aibox-policies/org and aibox-images, in alphabetical order: its bytes here, its row in the
// table below. A test fails and prints what to add when one is missing.
static const unsigned char aibox_images_base_image_yaml[] = {
#embed "../../aibox-images/base/image.yaml"
};
static const unsigned char aibox_images_base_packages_bookworm_amd64_lock[] = {
#embed "../../aibox-images/base/packages.bookworm-amd64.lock"
};
static const unsigned char aibox_images_base_rootfs_etc_aibox_sshd_config[] = {
#embed "../../aibox-images/base/rootfs/etc/aibox/sshd_config"
};
static const unsigned char aibox_images_base_rootfs_etc_gitconfig[] = {
#embed "../../aibox-images/base/rootfs/etc/gitconfig"
};
static const unsigned char aibox_images_base_rootfs_etc_pip_conf[] = {
#embed "../../aibox-images/base/rootfs/etc/pip.conf"
};
static const unsigned char aibox_images_base_rootfs_etc_profile_d_aibox_sh[] = {
#embed "../../aibox-images/base/rootfs/etc/profile.d/aibox.sh"
};
static const unsigned char aibox_images_base_rootfs_etc_zsh_zprofile[] = {
#embed "../../aibox-images/base/rootfs/etc/zsh/zprofile"
};
static const unsigned char aibox_images_base_rootfs_home_dev__zshrc[] = {
#embed "../../aibox-images/base/rootfs/home/dev/.zshrc"
};
static const unsigned char aibox_images_dotnet_image_yaml[] = {
#embed "../../aibox-images/dotnet/image.yaml"
};
static const unsigned char aibox_images_full_image_yaml[] = {
#embed "../../aibox-images/full/image.yaml"
};
static const unsigned char aibox_images_java_image_yaml[] = {
#embed "../../aibox-images/java/image.yaml"
};
static const unsigned char aibox_images_node_image_yaml[] = {
#embed "../../aibox-images/node/image.yaml"
};
static const unsigned char aibox_policies_org_admission_rego[] = {
#embed "../../aibox-policies/org/admission.rego"
};
static const unsigned char aibox_policies_org_credentials_rego[] = {
#embed "../../aibox-policies/org/credentials.rego"
};
static const unsigned char aibox_policies_org_decision_rego[] = {
#embed "../../aibox-policies/org/decision.rego"
};
static const unsigned char aibox_policies_org_filesystem_rego[] = {
#embed "../../aibox-policies/org/filesystem.rego"
};
static const unsigned char aibox_policies_org_llm_rego[] = {
#embed "../../aibox-policies/org/llm.rego"
};
static const unsigned char aibox_policies_org_mcp_rego[] = {
#embed "../../aibox-policies/org/mcp.rego"
};
static const unsigned char aibox_policies_org_mounts_rego[] = {
#embed "../../aibox-policies/org/mounts.rego"
};
static const unsigned char aibox_policies_org_network_rego[] = {
#embed "../../aibox-policies/org/network.rego"
};
static const unsigned char aibox_policies_org_push_rego[] = {
#embed "../../aibox-policies/org/push.rego"
};
static const unsigned char aibox_policies_org_resources_rego[] = {
#embed "../../aibox-policies/org/resources.rego"
};
static const unsigned char aibox_policies_org_runtime_rego[] = {
#embed "../../aibox-policies/org/runtime.rego"
};
static const unsigned char aibox_policies_org_tools_rego[] = {
#embed "../../aibox-policies/org/tools.rego"
};
static const unsigned char aibox_policies_org_verdict_rego[] = {
#embed "../../aibox-policies/org/verdict.rego"
};
static const unsigned char configs_apparmor_aibox_sandbox[] = {
#embed "../../configs/apparmor/aibox-sandbox"
};
static const unsigned char configs_help_txt[] = {
#embed "../../configs/help.txt"
};
static const unsigned char configs_policy_schema_json[] = {
#embed "../../configs/policy.schema.json"
};
static const unsigned char configs_seccomp_aibox_json[] = {
#embed "../../configs/seccomp/aibox.json"
};
static const unsigned char configs_audit_event_schema_json[] = {
#embed "../../configs/audit-event.schema.json"
};
static const unsigned char configs_policy_org_baseline_yaml[] = {
#embed "../../configs/policy/org-baseline.yaml"
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
    ROW("aibox-images/base/image.yaml", aibox_images_base_image_yaml),
    ROW("aibox-images/base/packages.bookworm-amd64.lock", aibox_images_base_packages_bookworm_amd64_lock),
    ROW("aibox-images/base/rootfs/etc/aibox/sshd_config", aibox_images_base_rootfs_etc_aibox_sshd_config),
    ROW("aibox-images/base/rootfs/etc/gitconfig", aibox_images_base_rootfs_etc_gitconfig),
    ROW("aibox-images/base/rootfs/etc/pip.conf", aibox_images_base_rootfs_etc_pip_conf),
    ROW("aibox-images/base/rootfs/etc/profile.d/aibox.sh", aibox_images_base_rootfs_etc_profile_d_aibox_sh),
    ROW("aibox-images/base/rootfs/etc/zsh/zprofile", aibox_images_base_rootfs_etc_zsh_zprofile),
    ROW("aibox-images/base/rootfs/home/dev/.zshrc", aibox_images_base_rootfs_home_dev__zshrc),
    ROW("aibox-images/dotnet/image.yaml", aibox_images_dotnet_image_yaml),
    ROW("aibox-images/full/image.yaml", aibox_images_full_image_yaml),
    ROW("aibox-images/java/image.yaml", aibox_images_java_image_yaml),
    ROW("aibox-images/node/image.yaml", aibox_images_node_image_yaml),
    ROW("aibox-policies/org/admission.rego", aibox_policies_org_admission_rego),
    ROW("aibox-policies/org/credentials.rego", aibox_policies_org_credentials_rego),
    ROW("aibox-policies/org/decision.rego", aibox_policies_org_decision_rego),
    ROW("aibox-policies/org/filesystem.rego", aibox_policies_org_filesystem_rego),
    ROW("aibox-policies/org/llm.rego", aibox_policies_org_llm_rego),
    ROW("aibox-policies/org/mcp.rego", aibox_policies_org_mcp_rego),
    ROW("aibox-policies/org/mounts.rego", aibox_policies_org_mounts_rego),
    ROW("aibox-policies/org/network.rego", aibox_policies_org_network_rego),
    ROW("aibox-policies/org/push.rego", aibox_policies_org_push_rego),
    ROW("aibox-policies/org/resources.rego", aibox_policies_org_resources_rego),
    ROW("aibox-policies/org/runtime.rego", aibox_policies_org_runtime_rego),
    ROW("aibox-policies/org/tools.rego", aibox_policies_org_tools_rego),
    ROW("aibox-policies/org/verdict.rego", aibox_policies_org_verdict_rego),
    ROW("configs/apparmor/aibox-sandbox", configs_apparmor_aibox_sandbox),
    ROW("configs/seccomp/aibox.json", configs_seccomp_aibox_json),
    ROW("configs/audit-event.schema.json", configs_audit_event_schema_json),
    ROW("configs/help.txt", configs_help_txt),
    ROW("configs/policy.schema.json", configs_policy_schema_json),
    ROW("configs/policy/org-baseline.yaml", configs_policy_org_baseline_yaml),
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
