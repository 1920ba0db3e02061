/* Lists and tables as sources.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

/* Two photos that most lists here name. */
static void put_pair(const scratch *s) {
    put_photo(s, "a.jpg", 1);
    put_photo(s, "sub/b.jpg", 2);
}

static void check_source_fails(scratch *s, const char *name, oc_dataset_options options,
                               oc_status status, const char *part) {
    oc_dataset *ds = NULL;
    oc_error err = {0};
    check_fails(open_in(s, name, options, &ds, &err), err, status, part);
    assert_null(ds);
}

/* The list `text` gives a.jpg and sub/b.jpg these labels. */
static void check_labels(scratch *s, const char *text, const char *column, const char *a,
                         const char *b) {
    oc_dataset *ds = NULL;
    oc_error err = {0};
    put_text(s, "list.txt", text);
    check_ok(open_in(s, "list.txt", (oc_dataset_options){.label_column = column}, &ds, &err), err);
    assert_int_equal(oc_dataset_count(ds), 2);
    assert_string_equal(label_called(ds, "a.jpg"), a);
    assert_string_equal(label_called(ds, "b.jpg"), b);
    oc_dataset_free(ds);
}

static void both_forms_of_lists_are_read(void **state) {
    scratch *s = *state;
    put_pair(s);
    check_labels(s, "a.jpg rose\nsub/b.jpg iris\n", NULL, "rose", "iris");
    check_labels(s, "a.jpg\t0\nsub/b.jpg   1", NULL, "0", "1");
    check_labels(s, "a.jpg, 7, 3\nsub/b.jpg, 8, 4\n", NULL, "7", "8");
    check_labels(s, "a.jpg, 7, 3\nsub/b.jpg, 8, 4\n", "2", "3", "4");
    check_labels(s, "a.jpg,7,3\nsub/b.jpg,8,4\n", "coarse", "3", "4");
    check_labels(s, "a.jpg 7 3\nsub/b.jpg 8 4\n", "2", "3", "4");
    check_labels(s, "a.jpg 7 3\nsub/b.jpg 8 4\n", NULL, "7", "8");
    check_labels(s, "./a.jpg lily of the valley\n./sub/b.jpg iris", NULL, "lily of the valley",
                 "iris");
    check_labels(s, "a.jpg, \"x, y\"\nsub/b.jpg, z\n", NULL, "x, y", "z");
}

static oc_classes three_numbers(void) {
    static const char *const labels[] = {"0", "1", "2"};
    oc_classes classes = {.items = oc_calloc(3, sizeof *classes.items), .count = 3};
    for (int i = 0; i < 3; i++) classes.items[i].label = oc_strdup(labels[i]);
    return classes;
}

/* Caffe's lists: labels are numbers of outputs, root_folder stands before each path, as a text. */
static void numbered_lists_keep_all_classes_and_join_their_root(void **state) {
    scratch *s = *state;
    oc_classes classes = three_numbers();
    oc_dataset *ds = NULL;
    oc_error err = {0};
    char root[OC_PATH_BYTES];
    put_photo(s, "photos/big_a.jpg", 1);
    put_photo(s, "photos/big_b.jpg", 2);
    put_text(s, "lists/classes.txt", "rose\niris\n"); /* not looked for */
    put_text(s, "lists/l.txt", "a.jpg 2\nb.jpg 002\n");
    path_in(s, "photos/big_", root);
    oc_dataset_options o = {.known = &classes, .numbered = true, .root = root};
    check_ok(open_in(s, "lists/l.txt", o, &ds, &err), err);
    assert_int_equal(oc_dataset_count(ds), 2);
    assert_int_equal(oc_dataset_classes(ds)->count, 3);
    for (size_t i = 0; i < 2; i++) assert_int_equal(oc_dataset_item(ds, i)->label, 2);
    oc_dataset_free(ds);
    put_text(s, "lists/l.txt", "a.jpg 2\nb.jpg 3\n");
    check_source_fails(s, "lists/l.txt", o, OC_EDATA, "l.txt:2: label 3: the network has 3");
    put_text(s, "lists/l.txt", "a.jpg rose\n");
    check_source_fails(s, "lists/l.txt", o, OC_EDATA, "l.txt:1: label rose");
    oc_classes_clear(&classes);
}

static void marks_crlf_comments_and_blank_lines_do_no_harm(void **state) {
    scratch *s = *state;
    put_pair(s);
    check_labels(s, "\xEF\xBB\xBF# photos\r\n\r\na.jpg rose\r\n   sub/b.jpg iris  \r\n", NULL,
                 "rose", "iris");
}

static void blanks_and_commas_in_paths_are_clear_from_the_extension(void **state) {
    scratch *s = *state;
    put_photo(s, "my rose, red.jpg", 1);
    put_photo(s, "my dir/b c.jpg", 2);
    put_photo(s, "q\"q.jpg", 3);
    put_text(s, "l.txt", "my rose, red.jpg 1\n\"my dir/b c.jpg\" 2\n\"q\"\"q.jpg\", 1\n");
    oc_dataset *ds = open_plain(s, "l.txt");
    assert_string_equal(label_called(ds, "my rose, red.jpg"), "1");
    assert_string_equal(label_called(ds, "b c.jpg"), "2");
    assert_string_equal(label_called(ds, "q\"q.jpg"), "1");
    oc_dataset_free(ds);
    put_text(s, "l.txt", "my rose, red.jpg, 1\nmy dir/b c.jpg 2\n");
    ds = open_plain(s, "l.txt");
    assert_string_equal(label_called(ds, "my rose, red.jpg"), "1");
    assert_string_equal(label_called(ds, "b c.jpg"), "2");
    oc_dataset_free(ds);
}

static void home_absolute_and_current_folder_are_understood(void **state) {
    scratch *s = *state;
    char text[2 * OC_PATH_BYTES], before[OC_PATH_BYTES];
    put_photo(s, "home/a.jpg", 1);
    put_photo(s, "abs.jpg", 2);
    put_photo(s, "here.jpg", 3);
    (void)snprintf(text, sizeof text, "%s/home", s->path);
    assert_int_equal(setenv("HOME", text, 1), 0);
    (void)snprintf(text, sizeof text, "~/a.jpg x\n%s/abs.jpg y\nhere.jpg y\n", s->path);
    put_text(s, "lists/l.txt", text);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(s->path), 0);
    oc_dataset *ds = open_plain(s, "lists/l.txt");
    assert_int_equal(chdir(before), 0);
    assert_int_equal(oc_dataset_count(ds), 3);
    assert_string_equal(item_called(ds, "here.jpg")->path, "here.jpg");
    oc_dataset_free(ds);
}

static void missing_files_become_rejects(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_text(s, "l.txt", "a.jpg x\nsub/b.jpg y\ngone.jpg x\n");
    oc_dataset *ds = open_plain(s, "l.txt");
    assert_int_equal(oc_dataset_count(ds), 2);
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    assert_string_equal(reason_of(ds, "gone.jpg"), "no such file");
    check_told(s, "! 1 entries name files that do not exist");
    oc_dataset_free(ds);
    put_text(s, "l.txt", "gone.jpg x\nalso.jpg y\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EDATA, "none of its 2 files exists");
}

static void malformed_lines_are_told_with_file_and_line(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_text(s, "l.txt", "a.jpg x\n\nsub/b.jpg\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EFORMAT, "l.txt:3: 'sub/b.jpg'");
    put_text(s, "l.txt", "a.jpg, 1\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){.label_column = "2"}, OC_EFORMAT,
                       "l.txt:1: a.jpg has no label in column 2");
    put_text(s, "l.txt", "a.jpg, \n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EFORMAT, "l.txt:1");
    put_text(s, "l.txt", "\"a.jpg x\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EFORMAT, "l.txt:1");
    put_text(s, "l.txt", "a.jpg \xC3\x28\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EFORMAT, "not UTF-8");
    put_bytes(s, "l.txt", "a\0b c\n", 6);
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EFORMAT, "NUL");
    put_text(s, "l.txt", "");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EDATA, "holds no images");
    put_text(s, "l.txt", "a.jpg x\nsub/b.jpg y\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){.label_column = "species"}, OC_EUSAGE,
                       "label column 'species'");
}

static void ids_get_their_names_and_their_order(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_photo(s, "c.jpg", 3);
    put_text(s, "classes.csv",
             "Name,ID,Coarse Name,Coarse ID\nzinnia,0,x,0\naster,10,y,1\n"
             "iris,2,x,0\n");
    put_text(s, "l.txt", "a.jpg, 10, 1\nsub/b.jpg, 0, 0\nc.jpg, iris, 0\n");
    oc_dataset *ds = open_plain(s, "l.txt");
    const oc_classes *classes = oc_dataset_classes(ds);
    assert_int_equal(classes->count, 3);
    assert_string_equal(classes->items[0].label, "zinnia");
    assert_string_equal(classes->items[1].label, "iris");
    assert_string_equal(classes->items[2].label, "aster");
    assert_string_equal(classes->items[2].id, "10");
    assert_string_equal(label_called(ds, "a.jpg"), "aster");
    assert_int_equal(oc_classes_find(classes, "aster"), 2);
    assert_int_equal(oc_classes_find(classes, "rose"), -1);
    oc_dataset_free(ds);
}

static void numbers_sort_by_value_without_names(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_photo(s, "c.jpg", 3);
    put_text(s, "l.txt", "a.jpg 10\nsub/b.jpg 9\nc.jpg 1\n");
    oc_dataset *ds = open_plain(s, "l.txt");
    assert_string_equal(oc_dataset_classes(ds)->items[1].label, "9");
    assert_string_equal(oc_dataset_classes(ds)->items[2].label, "10");
    oc_dataset_free(ds);
}

static void label_out_of_range_is_told_with_file_and_line(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_text(s, "classes.txt", "rose\niris\n");
    put_text(s, "l.txt", "a.jpg 1\nsub/b.jpg 2\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EDATA,
                       "l.txt:2: label 2 is not among the 2 classes");
    put_text(s, "l.txt", "a.jpg -1\nsub/b.jpg 0\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EDATA, "(0 to 1)");
}

static void repeats_are_dropped_and_contradictions_told(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_text(s, "l.txt", "a.jpg x\nsub/b.jpg y\na.jpg x\n./a.jpg y\n");
    oc_dataset *ds = open_plain(s, "l.txt");
    assert_int_equal(oc_dataset_count(ds), 2);
    assert_string_equal(label_called(ds, "a.jpg"), "x");
    check_told(s, "1 entries name a file a second time");
    check_told(s, "! 1 entries give a file another label than before");
    oc_dataset_free(ds);
}

static void lists_in_a_folder_win_over_its_folders(void **state) {
    scratch *s = *state;
    put_photos(s, "train/fruit/deep", 3, 1);
    put_photos(s, "val/fruit", 2, 5);
    put_text(s, "train.txt",
             "train/fruit/deep/0.jpg x\ntrain/fruit/deep/1.jpg y\ntrain/fruit/deep/2.jpg y\n");
    put_text(s, "val.txt", "val/fruit/0.jpg x\nval/fruit/1.jpg y\ntrain/fruit/deep/0.jpg x\n");
    oc_dataset *ds = open_plain(s, ".");
    assert_int_equal(count_part(ds, OC_PART_TRAIN), 3);
    assert_int_equal(count_part(ds, OC_PART_VAL), 3);
    assert_int_equal(oc_dataset_classes(ds)->count, 2);
    check_told(s, "reading the list");
    check_told(s, "! 1 files stand in more than one of train, validation and test");
    oc_dataset_free(ds);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void table_gives_parts_and_groups(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_photo(s, "c.jpg", 3);
    put_text(s, "t.csv",
             "Split;label;Path;group;note\r\ntrain;x;a.jpg;o1;\"a;b\"\r\n"
             "Validation;y;sub/b.jpg;o2;\r\n;y;c.jpg;o1;\r\n");
    oc_dataset *ds = open_plain(s, "t.csv");
    assert_int_equal(oc_dataset_count(ds), 3);
    assert_int_equal(item_called(ds, "a.jpg")->part, OC_PART_TRAIN);
    assert_int_equal(item_called(ds, "b.jpg")->part, OC_PART_VAL);
    assert_int_equal(item_called(ds, "c.jpg")->part, OC_PART_NONE);
    assert_int_equal(item_called(ds, "a.jpg")->group, item_called(ds, "c.jpg")->group);
    assert_int_not_equal(item_called(ds, "a.jpg")->group, item_called(ds, "b.jpg")->group);
    oc_dataset_free(ds);
}

static void columns_of_a_table_are_chosen_by_name_or_number(void **state) {
    scratch *s = *state;
    oc_dataset *ds = NULL;
    oc_error err = {0};
    put_pair(s);
    put_text(s, "t.csv", "image\tfamily\tgenus\tauthor\na.jpg\tf\tg1\tme\nsub/b.jpg\tf\tg2\tme\n");
    oc_dataset_options by_name = {.label_column = "Genus", .group_column = "author"};
    check_ok(open_in(s, "t.csv", by_name, &ds, &err), err);
    assert_string_equal(label_called(ds, "a.jpg"), "g1");
    assert_int_equal(item_called(ds, "a.jpg")->group, item_called(ds, "b.jpg")->group);
    oc_dataset_free(ds);
    check_ok(open_in(s, "t.csv", (oc_dataset_options){.label_column = "2"}, &ds, &err), err);
    assert_string_equal(label_called(ds, "a.jpg"), "g1");
    oc_dataset_free(ds);
}

static void bad_tables_are_told_with_file_and_line(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_text(s, "t.csv", "path,name\na.jpg,x\n");
    check_source_fails(s, "t.csv", (oc_dataset_options){0}, OC_EUSAGE,
                       "t.csv:1: no label column (label, class, category): the header has path");
    put_text(s, "t.csv", "path,label\na.jpg,x\nmy, b.jpg,y\n");
    check_source_fails(s, "t.csv", (oc_dataset_options){0}, OC_EFORMAT, "t.csv:3: 3 columns");
    put_text(s, "t.csv", "path,label,split\na.jpg,x,holdout\n");
    check_source_fails(s, "t.csv", (oc_dataset_options){0}, OC_EFORMAT,
                       "t.csv:2: split 'holdout' is none of train");
    put_text(s, "t.csv", "path,label\na.jpg,\n");
    check_source_fails(s, "t.csv", (oc_dataset_options){0}, OC_EFORMAT,
                       "t.csv:2: the label is empty");
    put_text(s, "t.csv", "path,label\na.jpg,x\n");
    check_source_fails(s, "t.csv", (oc_dataset_options){.group_column = "author"}, OC_EUSAGE,
                       "no group column author");
    put_text(s, "t.csv", "path,label\n,x\n");
    check_source_fails(s, "t.csv", (oc_dataset_options){0}, OC_EFORMAT,
                       "t.csv:2: the path is empty");
}

/* ---- sources as such ------------------------------------------------------------------------- */

static void sources_that_are_none_are_errors(void **state) {
    scratch *s = *state;
    char path[OC_PATH_BYTES];
    check_source_fails(s, "nowhere", (oc_dataset_options){0}, OC_ENOTFOUND, "does not exist");
    path_in(s, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    check_source_fails(s, "pipe", (oc_dataset_options){0}, OC_EFORMAT, "is a fifo");
}

static void one_class_is_not_enough_unless_the_model_knows_it(void **state) {
    scratch *s = *state;
    oc_class known_items[] = {{.label = (char *)(uintptr_t) "x"},
                              {.label = (char *)(uintptr_t) "w"}};
    oc_classes known = {known_items, 2};
    oc_dataset *ds = NULL;
    oc_error err = {0};
    put_pair(s);
    put_text(s, "l.txt", "a.jpg x\nsub/b.jpg x\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){0}, OC_EDATA, "has one class (x)");
    check_ok(open_in(s, "l.txt", (oc_dataset_options){.known = &known}, &ds, &err), err);
    assert_int_equal(oc_dataset_classes(ds)->count, 2);
    oc_dataset_free(ds);
}

static void labels_are_mapped_onto_the_classes_of_a_model(void **state) {
    scratch *s = *state;
    char a[] = "Aster", r[] = "Rose", nine[] = "9";
    oc_class items[] = {{.label = r}, {.label = a, .id = nine}};
    oc_classes known = {items, 2};
    oc_dataset *ds = NULL;
    oc_error err = {0};
    put_pair(s);
    put_text(s, "l.txt", "a.jpg 9\nsub/b.jpg Rose\n");
    check_ok(open_in(s, "l.txt", (oc_dataset_options){.known = &known}, &ds, &err), err);
    assert_int_equal(item_called(ds, "a.jpg")->label, 1);
    assert_int_equal(item_called(ds, "b.jpg")->label, 0);
    oc_dataset_free(ds);
    put_text(s, "l.txt", "a.jpg 9\nsub/b.jpg Rosa\n");
    check_source_fails(s, "l.txt", (oc_dataset_options){.known = &known}, OC_EDATA,
                       "class 'Rosa' is not one of the model's 2 classes (near: 'Rose')");
}

static void running_out_of_memory_is_told(void **state) {
    scratch *s = *state;
    put_pair(s);
    put_text(s, "classes.txt", "rose\niris\n");
    put_text(s, "t.csv", "path,label,group\na.jpg,0,g\nsub/b.jpg,1,\n");
    for (uint64_t n = 1;; n++) {
        oc_dataset *ds = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = open_in(s, "t.csv", (oc_dataset_options){0}, &ds, &err);
        oc_mem_fail_at(0);
        if (status == OC_OK) {
            assert_int_equal(oc_dataset_count(ds), 2);
            oc_dataset_free(ds);
            break;
        }
        assert_null(ds);
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 200);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(both_forms_of_lists_are_read),
        scratch_test(numbered_lists_keep_all_classes_and_join_their_root),
        scratch_test(marks_crlf_comments_and_blank_lines_do_no_harm),
        scratch_test(blanks_and_commas_in_paths_are_clear_from_the_extension),
        scratch_test(home_absolute_and_current_folder_are_understood),
        scratch_test(missing_files_become_rejects),
        scratch_test(malformed_lines_are_told_with_file_and_line),
        scratch_test(ids_get_their_names_and_their_order),
        scratch_test(numbers_sort_by_value_without_names),
        scratch_test(label_out_of_range_is_told_with_file_and_line),
        scratch_test(repeats_are_dropped_and_contradictions_told),
        scratch_test(lists_in_a_folder_win_over_its_folders),
        scratch_test(table_gives_parts_and_groups),
        scratch_test(columns_of_a_table_are_chosen_by_name_or_number),
        scratch_test(bad_tables_are_told_with_file_and_line),
        scratch_test(sources_that_are_none_are_errors),
        scratch_test(one_class_is_not_enough_unless_the_model_knows_it),
        scratch_test(labels_are_mapped_onto_the_classes_of_a_model),
        scratch_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
