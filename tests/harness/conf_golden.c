#include "conf_golden.h"
#include "check_main.h"
#include "pipeline/pipeline_conf.h"
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CANARY "hunter2"

static void load_and_print(const char *name, sl_buf *out)
{
    const char *path = "input.yaml";
    sl_problems *problems = sl_problems_new();
    sl_config *config = sl_config_load(&path, 1, problems);
    ck_assert_msg(config == NULL && sl_problems_errors(problems) > 0, "%s is not refused", name);
    sl_problems_print(problems, out);
    sl_problems_free(problems);
}

static void check_case(const char *folder, const char *name)
{
    sl_buf got = SL_BUF_NONE, want = SL_BUF_NONE;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_msg(chdir(path) == 0, "%s", path);
    load_and_print(name, &got);
    if (getenv("SLUICE_GOLDEN_UPDATE"))
        ck_assert_int_eq(sl_fs_write_file("expected", got.ptr, got.len, 0644), 0);
    ck_assert_msg(sl_fs_read_file("expected", 1 << 20, &want) == 0, "%s has no `expected`", name);
    ck_assert_msg(sl_span_is(sl_buf_span(&got), sl_buf_span(&want)), "%s says\n%s\nand not\n%s", name,
                  sl_buf_cstr(&got), sl_buf_cstr(&want));
    ck_assert_msg(!strstr(sl_buf_cstr(&got), CANARY), "%s shows a secret:\n%s", name, sl_buf_cstr(&got));
    sl_buf_release(&got);
    sl_buf_release(&want);
}

void sl_test_conf_golden(const char *folder, int at_least)
{
    char path[512];
    int count = 0;
    setenv("SLUICE_GOLDEN_SECRET", CANARY, 1);
    unsetenv("SLUICE_GOLDEN_UNSET");
    snprintf(path, sizeof path, SLUICE_SOURCE_DIR "/tests/golden/%s", folder);
    DIR *dir = sl_fs_opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = sl_fs_readdir(dir); entry; entry = sl_fs_readdir(dir)) {
        if (entry->d_name[0] == '.') continue;
        check_case(path, entry->d_name);
        count++;
    }
    sl_fs_closedir(dir);
    ck_assert_int_ge(count, at_least);
}
