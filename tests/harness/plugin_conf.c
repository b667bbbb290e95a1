#include "plugin_conf.h"
#include "check_main.h"
#include <stdio.h>

bool sl_test_conf_read(sl_test_conf *read, const char *what, const sl_option *rows, void *conf,
                       const char *yaml)
{
    *read = (sl_test_conf){.memory = sl_conf_memory_new()};
    sl_problems *problems = sl_problems_new();
    sl_problems_add_source(problems, "t.yaml", sl_span_of(yaml));
    sl_node *node = sl_yaml_parse(&read->tree, "t.yaml", sl_span_of(yaml), true, problems);
    ck_assert_msg(node != NULL, "%s", yaml);
    sl_option_context ctx = {problems, read->memory};
    sl_option_target target = {rows, conf};
    sl_options_read(&ctx, node, (sl_mark){"t.yaml", 1, 1, 0, 0}, what, &target, 1);
    bool right = sl_problems_errors(problems) == 0;
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    snprintf(read->said, sizeof read->said, "%s", sl_buf_cstr(&out));
    sl_buf_release(&out);
    sl_problems_free(problems);
    return right;
}

void sl_test_conf_end(sl_test_conf *read)
{
    sl_conf_memory_free(read->memory);
    sl_arena_release(&read->tree);
}
