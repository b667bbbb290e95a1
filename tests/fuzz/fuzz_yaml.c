/* fuzz_yaml.c: any bytes as a configuration file: a tree or problems, never both missing; what it stands for
 * as JSON is JSON; problems print without control characters. */
#include "config/options.h"
#include "config/yaml_tree.h"
#include <sluice/json.h>
#include <stdint.h>
#include <stdlib.h>

static void check_printed(const sl_problems *problems)
{
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    for (size_t i = 0; i < out.len; i++) {
        unsigned char c = (unsigned char)out.ptr[i];
        if (c < ' ' && c != '\n') abort();
    }
    sl_buf_release(&out);
}

static void check_json(const sl_node *root)
{
    sl_buf json = SL_BUF_NONE;
    sl_node_write_json(root, &json);
    sl_tape tape = {0};
    if (sl_json_index(&tape, sl_buf_span(&json)).error != SL_JSON_OK) abort();
    sl_tape_release(&tape);
    sl_buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_arena arena = SL_ARENA_NONE;
    sl_problems *problems = sl_problems_new();
    sl_span text = {(const char *)data, size};
    sl_problems_add_source(problems, "fuzz.yaml", text);
    sl_node *root = sl_yaml_parse(&arena, "fuzz.yaml", text, true, problems);
    if (!root && !sl_problems_errors(problems)) abort();
    if (root && root->expanded > SL_MAX_YAML_EXPANDED) abort();
    if (root && root->height > SL_MAX_YAML_DEPTH) abort();
    if (root) check_json(root);
    check_printed(problems);
    sl_problems_free(problems);
    sl_arena_release(&arena);
    return 0;
}
