/* edit_compile.c: from the maps of the configuration to a list of steps, one a field. */
#include "edit_int.h"

static edit_step *add_step(edit_program *program, edit_kind kind)
{
    if (program->count == program->cap) {
        program->cap = program->cap ? program->cap * 2 : 8;
        program->steps = sl_realloc(program->steps, program->cap * sizeof(*program->steps));
    }
    edit_step *step = &program->steps[program->count++];
    *step = (edit_step){.kind = kind};
    return step;
}

static int parse_path(sl_span text, sl_path **path, const char *option, sl_err *err)
{
    *path = sl_path_parse(text, err);
    return *path ? 0
                 : sl_err_prefix(err, "option `%s`: field \"" SL_SPAN_FMT "\"", option, SL_SPAN_ARG(text));
}

static int add_moves(edit_program *program, edit_kind kind, const sl_list *pairs, const char *option,
                     sl_err *err)
{
    for (size_t i = 0; i < pairs->count; i++) {
        sl_opt_pair pair = SL_LIST_AT(*pairs, sl_opt_pair, i);
        edit_step *step = add_step(program, kind);
        if (parse_path(pair.key, &step->path, option, err) != 0 ||
            parse_path(pair.value, &step->to, option, err) != 0)
            return err->code;
        if (sl_path_overlaps(step->path, step->to))
            return sl_err_set(err, SL_E_CONFIG,
                              "option `%s`: \"" SL_SPAN_FMT "\" and \"" SL_SPAN_FMT
                              "\" are the same field, or one is inside the "
                              "other",
                              option, SL_SPAN_ARG(pair.key), SL_SPAN_ARG(pair.value));
    }
    return 0;
}

static int add_conversions(edit_program *program, const sl_list *pairs, sl_err *err)
{
    for (size_t i = 0; i < pairs->count; i++) {
        sl_opt_pair pair = SL_LIST_AT(*pairs, sl_opt_pair, i);
        edit_step *step = add_step(program, EDIT_CONVERT);
        if (parse_path(pair.key, &step->path, "convert", err) != 0) return err->code;
        if (!sl_convert_find(pair.value, &step->type))
            return sl_err_set(err, SL_E_CONFIG,
                              "option `convert`: \"" SL_SPAN_FMT "\" is no type; take " SL_CONVERT_NAMES,
                              SL_SPAN_ARG(pair.value));
    }
    return 0;
}

static sl_span unescaped(edit_program *program, sl_span spelled)
{
    char *text = sl_arena_alloc(&program->arena, spelled.len + 1);
    return (sl_span){text, sl_json_unescape(spelled, text)};
}

/* A text is a template; one without fields and time, and any other value, is a constant. */
static int set_value(edit_program *program, edit_step *step, sl_span json, const sl_token *value,
                     const char *option, sl_err *err)
{
    sl_span text = {json.ptr + value->off, value->len};
    if (value->type != SL_JSON_STRING) {
        step->json = sl_arena_dup(&program->arena, text);
        return 0;
    }
    sl_span name = sl_path_text(step->path);
    step->text = sl_template_parse(unescaped(program, text), err);
    if (!step->text)
        return sl_err_prefix(err, "option `%s`: value of \"" SL_SPAN_FMT "\"", option, SL_SPAN_ARG(name));
    if (!sl_template_is_constant(step->text)) return 0;
    sl_buf plain = SL_BUF_NONE, quoted = SL_BUF_NONE;
    sl_reader none = {0};
    int res = sl_template_write(step->text, &none, &plain);
    sl_json_write_string(&quoted, sl_buf_span(&plain));
    step->json = sl_arena_dup(&program->arena, sl_buf_span(&quoted));
    sl_template_free(step->text);
    step->text = NULL;
    sl_buf_release(&plain);
    sl_buf_release(&quoted);
    return res;
}

static int add_members(edit_program *program, edit_kind kind, sl_span json, const sl_tape *tape,
                       const char *option, sl_err *err)
{
    const sl_token *tok = tape->tok;
    if (tok[0].type != SL_JSON_OBJECT)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `%s`: a map from fields to values is expected: {field: value}", option);
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next) {
        edit_step *step = add_step(program, kind);
        sl_span key = unescaped(program, (sl_span){json.ptr + tok[k].off, tok[k].len});
        int res = parse_path(key, &step->path, option, err);
        if (res == 0) res = set_value(program, step, json, &tok[k + 1], option, err);
        if (res != 0) return res;
    }
    return 0;
}

static int add_values(edit_program *program, edit_kind kind, sl_span json, const char *option, sl_err *err)
{
    if (json.len == 0) return 0;
    sl_tape tape = {0};
    sl_json_result index = sl_json_index(&tape, json);
    int res = index.error == SL_JSON_OK
                  ? add_members(program, kind, json, &tape, option, err)
                  : sl_err_set(err, SL_E_CONFIG, "option `%s`: %s", option, sl_json_error_text(index.error));
    sl_tape_release(&tape);
    return res;
}

static int add_removals(edit_program *program, const sl_list *paths, sl_err *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        edit_step *step = add_step(program, EDIT_REMOVE);
        int res = parse_path(sl_path_text(SL_LIST_AT(*paths, sl_path *, i)), &step->path, "remove", err);
        if (res != 0) return res;
    }
    return 0;
}

int edit_compile(edit_program *program, const edit_ops *ops, sl_err *err)
{
    int res = add_moves(program, EDIT_COPY, &ops->copy, "copy", err);
    if (res == 0) res = add_moves(program, EDIT_RENAME, &ops->rename, "rename", err);
    if (res == 0) res = add_conversions(program, &ops->convert, err);
    if (res == 0) res = add_values(program, EDIT_DEFAULT, ops->defaults, "default", err);
    if (res == 0) res = add_values(program, EDIT_SET, ops->set, "set", err);
    if (res == 0) res = add_removals(program, &ops->remove, err);
    return res;
}

void edit_program_release(edit_program *program)
{
    for (uint32_t i = 0; i < program->count; i++) {
        sl_path_free(program->steps[i].path);
        sl_path_free(program->steps[i].to);
        sl_template_free(program->steps[i].text);
    }
    sl_free(program->steps);
    sl_arena_release(&program->arena);
    *program = (edit_program){0};
}
