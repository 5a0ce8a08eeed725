/* The kernels of the library, as Python functions.
 *
 * All kernels have an entry point with the same C signature (drafts.py describes its words). This file reads the
 * arguments by the buffer protocol, checks them against the signature of the kernel (signatures.py describes its
 * spelling), releases the GIL, calls the kernel, and makes Python objects of the words that it returns. It uses only
 * the stable ABI of CPython 3.11, so one build serves every later version.
 *
 * The memory of arrays that a kernel allocates is counted as numba counts it (the NRT functions below). A returned
 * array is a numpy array over the memory of a `Memory` object, which owns it.
 */
#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table.h" /* LEVELS, level_names, struct entry, entries, STAMP: written by build.py */

enum { MOST_WORDS = 160, MOST_PARAMETERS = 64, MOST_RESULTS = 16 };

/* ------------------------------------------------------------------------- numba's counted memory */

typedef struct {
    size_t references;
    void (*destroy)(void *, size_t, void *);
    void *more;
    void *data;
    size_t size;
    void *allocator;
} Counted;

static _Thread_local int out_of_memory;

Counted *NRT_MemInfo_alloc_aligned(size_t size, unsigned align)
{
    size_t head = sizeof(Counted) + 2 * (size_t)align;
    Counted *counted = size > SIZE_MAX - head ? NULL : malloc(head + size);
    if (counted == NULL) {
        out_of_memory = 1;
        return NULL;
    }
    uintptr_t data = (uintptr_t)(counted + 1);
    if (align > 1 && data % align != 0)
        data += align - data % align;
    *counted = (Counted){1, NULL, NULL, (void *)data, size, NULL};
    return counted;
}

Counted *NRT_MemInfo_alloc(size_t size)
{
    return NRT_MemInfo_alloc_aligned(size, 1);
}

void *NRT_Allocate(size_t size)
{
    void *data = malloc(size);
    if (data == NULL)
        out_of_memory = 1;
    return data;
}

void NRT_Free(void *data)
{
    free(data);
}

static void destroy_list(void *data, size_t size, void *destroy)
{
    (void)size;
    if (destroy != NULL)
        ((void (*)(void *))destroy)(data);
    free(data);
}

Counted *NRT_MemInfo_new_varsize_dtor(size_t size, void *destroy)
{
    void *data = malloc(size);
    Counted *counted = malloc(sizeof(Counted));
    if (data == NULL || counted == NULL) {
        free(data);
        free(counted);
        out_of_memory = 1;
        return NULL;
    }
    *counted = (Counted){1, destroy_list, destroy, data, size, NULL};
    return counted;
}

void *NRT_MemInfo_varsize_realloc(Counted *counted, size_t size)
{
    void *data = realloc(counted->data, size);
    if (data == NULL) {
        out_of_memory = 1;
        return NULL;
    }
    counted->data = data;
    counted->size = size;
    return data;
}

void NRT_MemInfo_call_dtor(Counted *counted)
{
    if (counted->destroy != NULL)
        counted->destroy(counted->data, counted->size, counted->more);
    free(counted);
}

static void drop(Counted *counted)
{
    if (counted != NULL && __atomic_sub_fetch(&counted->references, 1, __ATOMIC_ACQ_REL) == 0)
        NRT_MemInfo_call_dtor(counted);
}

/* ------------------------------------------------------ memory that a kernel returned, for numpy */

typedef struct {
    PyObject_HEAD
    Counted *counted;
    char *data;
    Py_ssize_t size;
} Memory;

static PyObject *memory_type, *make_array, *dtypes[128];

static int memory_buffer(PyObject *self, Py_buffer *view, int flags)
{
    Memory *memory = (Memory *)self;
    return PyBuffer_FillInfo(view, self, memory->data, memory->size, 0, flags);
}

static void memory_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    drop(((Memory *)self)->counted);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot memory_slots[] = {
    {Py_bf_getbuffer, memory_buffer},
    {Py_tp_dealloc, memory_dealloc},
    {0, NULL},
};

static PyType_Spec memory_spec = {
    "dedup.kernels.native.Memory", sizeof(Memory), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, memory_slots,
};

/* ------------------------------------------------------------------------------------ signatures */

typedef struct {
    char name[32];
    char letter;     /* of the dtype or scalar; '(' for a tuple, which has `dimensions` parts after it */
    char dimensions; /* 0 for a scalar */
    char written;
} Parameter;

typedef struct {
    PyMethodDef method;
    const struct entry *entry;
    int level;
    int count;       /* parameters; a tuple is one */
    int results;
    int several;     /* a tuple is returned */
    int signed_size; /* 1 if int32 and int64 have an entry each */
    Parameter parameters[MOST_PARAMETERS];
    Parameter returned[MOST_RESULTS];
} Kernel;

static int item_size(char letter)
{
    switch (letter) {
    case 'B': case '?': return 1;
    case 'H': return 2;
    case 'I': case 'i': return 4;
    default: return 8;
    }
}

static const char *dtype_name(char letter)
{
    switch (letter) {
    case 'B': return "uint8";
    case 'H': return "uint16";
    case 'I': return "uint32";
    case 'Q': return "uint64";
    case 'i': return "int32";
    case 'q': return "int64";
    case 'd': return "float64";
    case '?': return "bool";
    default: return "int32 or int64";
    }
}

/* Read one kind, such as `Q2w`; return the place after it. */
static const char *read_kind(const char *at, Parameter *parameter)
{
    parameter->letter = *at++;
    parameter->dimensions = 0;
    parameter->written = 0;
    if (*at == '1' || *at == '2')
        parameter->dimensions = (char)(*at++ - '0');
    if (*at == 'w') {
        parameter->written = 1;
        at++;
    }
    return at;
}

static void read_parameters(Kernel *kernel, const char *at)
{
    int filled = 0;
    while (*at != '\0') {
        Parameter *parameter = &kernel->parameters[filled++];
        size_t length = strcspn(at, ":");
        memset(parameter, 0, sizeof *parameter);
        memcpy(parameter->name, at, length < sizeof parameter->name ? length : sizeof parameter->name - 1);
        at += length + 1;
        kernel->count++;
        if (*at == '(') {
            int parts = 0;
            parameter->letter = '(';
            do {
                kernel->parameters[filled] = *parameter;
                at = read_kind(at + 1, &kernel->parameters[filled++]);
                parts++;
            } while (*at == ',');
            parameter->dimensions = (char)parts;
            at++; /* after the bracket */
        } else {
            at = read_kind(at, parameter);
            if (parameter->letter == 's')
                kernel->signed_size = 1;
        }
        if (*at == ' ')
            at++;
    }
}

static void read_results(Kernel *kernel, const char *at)
{
    kernel->several = *at == '(';
    at += kernel->several;
    while (*at != '\0' && *at != ')') {
        at = read_kind(at, &kernel->returned[kernel->results++]);
        if (*at == ',')
            at++;
    }
}

/* ------------------------------------------------------------------------------------------ calls */

typedef struct {
    int64_t words[MOST_WORDS];
    int used;
    Py_buffer views[MOST_PARAMETERS];
    PyObject *owners[MOST_PARAMETERS]; /* borrowed */
    int held;
    int variant; /* -1 until an array of int32 (1) or int64 (0) is seen */
} Call;

/* Return the letter that signatures use for the items of a buffer; 0 if there is none. */
static char letter_of(const Py_buffer *view)
{
    const char *format = view->format == NULL ? "B" : view->format;
    if (*format == '@' || *format == '=' || *format == (PY_LITTLE_ENDIAN ? '<' : '>'))
        format++;
    if (format[0] == '\0' || format[1] != '\0')
        return 0;
    switch (*format) {
    case '?': return '?';
    case 'd': return 'd';
    case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N':
        return view->itemsize == 1 ? 'B' : view->itemsize == 2 ? 'H' : view->itemsize == 4 ? 'I' : 'Q';
    case 'i': case 'l': case 'q': case 'n':
        return view->itemsize == 4 ? 'i' : view->itemsize == 8 ? 'q' : 0;
    default: return 0;
    }
}

/* Return what an argument is, in words. */
static PyObject *describe(PyObject *given)
{
    PyObject *kind = PyObject_GetAttrString((PyObject *)Py_TYPE(given), "__name__");
    PyObject *dtype = PyObject_GetAttrString(given, "dtype"), *shape = PyObject_GetAttrString(given, "shape"), *words;
    PyErr_Clear();
    if (dtype != NULL && shape != NULL)
        words = PyUnicode_FromFormat("%S of shape %S", dtype, shape);
    else
        words = PyUnicode_FromFormat("%S", kind == NULL ? Py_None : kind);
    Py_XDECREF(kind);
    Py_XDECREF(dtype);
    Py_XDECREF(shape);
    return words;
}

static int refuse(const Kernel *kernel, const Parameter *parameter, PyObject *given, const char *why)
{
    PyObject *kind, *found, *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace); /* drop the error of the buffer protocol; ours says more */
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    if (parameter->dimensions == 0) {
        kind = PyUnicode_FromFormat("a scalar, %s", dtype_name(parameter->letter));
    } else {
        kind = PyUnicode_FromFormat("a %scontiguous array of %s with %d dimension%s", parameter->written ? "writable, " : "",
                                    dtype_name(parameter->letter), parameter->dimensions,
                                    parameter->dimensions == 1 ? "" : "s");
    }
    found = describe(given);
    if (kind != NULL && found != NULL)
        PyErr_Format(PyExc_TypeError, "%s: expected for `%s` %U, found %s%U", kernel->method.ml_name, parameter->name,
                     kind, why, found);
    Py_XDECREF(kind);
    Py_XDECREF(found);
    return -1;
}

static int take_array(const Kernel *kernel, const Parameter *parameter, PyObject *given, Call *call)
{
    Py_buffer *view = &call->views[call->held];
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (parameter->written ? PyBUF_WRITABLE : 0);
    char letter;
    if (PyObject_GetBuffer(given, view, flags) < 0)
        return refuse(kernel, parameter, given, PyObject_CheckBuffer(given) ? "another layout or a read-only one: " : "");
    call->owners[call->held++] = given;
    letter = letter_of(view);
    if (parameter->letter == 's' && (letter == 'i' || letter == 'q')) {
        int variant = letter == 'i';
        if (call->variant < 0)
            call->variant = variant;
        if (call->variant != variant)
            return refuse(kernel, parameter, given, "another width than of an argument before: ");
    } else if (letter != parameter->letter) {
        return refuse(kernel, parameter, given, "another dtype: ");
    }
    if (view->ndim != parameter->dimensions)
        return refuse(kernel, parameter, given, "other dimensions: ");
    if ((uintptr_t)view->buf % (uintptr_t)view->itemsize != 0)
        return refuse(kernel, parameter, given, "items that are not aligned: ");
    call->words[call->used++] = (int64_t)(uintptr_t)view->buf;
    for (int i = 0; i < view->ndim; i++)
        call->words[call->used++] = view->shape[i];
    return 0;
}

static int take_scalar(const Kernel *kernel, const Parameter *parameter, PyObject *given, Call *call)
{
    int64_t word = 0;
    if (parameter->letter == 'd') {
        double value = PyFloat_AsDouble(given);
        memcpy(&word, &value, sizeof value);
    } else if (parameter->letter == '?') {
        word = PyObject_IsTrue(given);
    } else {
        PyObject *whole = PyNumber_Index(given);
        if (whole == NULL)
            return refuse(kernel, parameter, given, "");
        word = parameter->letter == 'q' ? PyLong_AsLongLong(whole) : (int64_t)PyLong_AsUnsignedLongLong(whole);
        Py_DECREF(whole);
    }
    if (PyErr_Occurred())
        return refuse(kernel, parameter, given, "");
    call->words[call->used++] = word;
    return 0;
}

static int take_all(const Kernel *kernel, PyObject *const *given, Call *call)
{
    const Parameter *parameter = kernel->parameters;
    for (int i = 0; i < kernel->count; i++, parameter++) {
        if (parameter->letter == '(') {
            int parts = parameter->dimensions;
            if (!PyTuple_Check(given[i]) || PyTuple_Size(given[i]) != parts) {
                PyErr_Format(PyExc_TypeError, "%s: expected for `%s` a tuple of %d arrays, found %R",
                             kernel->method.ml_name, parameter->name, parts, (PyObject *)Py_TYPE(given[i]));
                return -1;
            }
            for (int part = 0; part < parts; part++) {
                parameter++;
                if (take_array(kernel, parameter, PyTuple_GetItem(given[i], part), call) < 0)
                    return -1;
            }
        } else if (parameter->dimensions > 0) {
            if (take_array(kernel, parameter, given[i], call) < 0)
                return -1;
        } else if (take_scalar(kernel, parameter, given[i], call) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *give_array(const Parameter *kind, Counted *counted, void *data, const int64_t *shape, const Call *call)
{
    Py_ssize_t size = item_size(kind->letter);
    PyObject *memory, *lengths, *array;
    for (int i = 0; i < kind->dimensions; i++)
        size *= shape[i];
    if (counted == NULL) { /* nothing was allocated: the array is one of the arguments */
        for (int i = 0; i < call->held; i++)
            if (call->views[i].buf == data && call->views[i].len == size)
                return Py_NewRef(call->owners[i]);
        PyErr_SetString(PyExc_SystemError, "a kernel returned memory that is neither its own nor an argument's");
        return NULL;
    }
    memory = PyType_GenericAlloc((PyTypeObject *)memory_type, 0);
    if (memory == NULL) {
        drop(counted);
        return NULL;
    }
    ((Memory *)memory)->counted = counted;
    ((Memory *)memory)->data = data;
    ((Memory *)memory)->size = size;
    lengths = kind->dimensions == 1 ? Py_BuildValue("(n)", (Py_ssize_t)shape[0])
                                    : Py_BuildValue("(nn)", (Py_ssize_t)shape[0], (Py_ssize_t)shape[1]);
    array = lengths == NULL ? NULL
                            : PyObject_CallFunctionObjArgs(make_array, lengths, dtypes[(int)kind->letter], memory, NULL);
    Py_XDECREF(lengths);
    Py_DECREF(memory);
    return array;
}

static PyObject *give_scalar(char letter, int64_t word)
{
    double value;
    switch (letter) {
    case 'q': return PyLong_FromLongLong(word);
    case 'Q': return PyLong_FromUnsignedLongLong((uint64_t)word);
    case '?': return PyBool_FromLong(word != 0);
    default:
        memcpy(&value, &word, sizeof value);
        return PyFloat_FromDouble(value);
    }
}

static PyObject *give_all(const Kernel *kernel, const int64_t *words, const Call *call)
{
    PyObject *given = kernel->several ? PyTuple_New(kernel->results) : NULL;
    int at = 0, failed = kernel->several && given == NULL;
    if (kernel->results == 0)
        return Py_NewRef(Py_None);
    for (int i = 0; i < kernel->results; i++) {
        const Parameter *kind = &kernel->returned[i];
        PyObject *value = NULL;
        if (kind->dimensions > 0) {
            Counted *counted = (Counted *)(uintptr_t)words[at];
            if (failed)
                drop(counted);
            else
                value = give_array(kind, counted, (void *)(uintptr_t)words[at + 1], &words[at + 2], call);
            at += 2 + kind->dimensions;
        } else {
            if (!failed)
                value = give_scalar(kind->letter, words[at]);
            at++;
        }
        failed |= value == NULL;
        if (!kernel->several)
            return value;
        if (value != NULL && PyTuple_SetItem(given, i, value) < 0)
            failed = 1;
    }
    if (failed) {
        Py_XDECREF(given);
        return NULL;
    }
    return given;
}

#define CAPSULE "dedup.kernels.native.kernel"

static PyObject *call_kernel(PyObject *self, PyObject *const *given, Py_ssize_t count)
{
    const Kernel *kernel = PyCapsule_GetPointer(self, CAPSULE);
    int64_t results[MOST_RESULTS * 4];
    PyObject *result = NULL;
    Call call;
    if (kernel == NULL)
        return NULL;
    if (count != kernel->count) {
        PyErr_Format(PyExc_TypeError, "%s: expected %d arguments, found %zd", kernel->method.ml_name, kernel->count, count);
        return NULL;
    }
    call.used = call.held = 0;
    call.variant = -1;
    if (take_all(kernel, given, &call) == 0) {
        code_of_kernel code = kernel->entry->code[kernel->level][call.variant > 0];
        PyThreadState *state;
        int32_t status;
        int lacking;
        state = PyEval_SaveThread();
        out_of_memory = 0;
        status = code(call.words, results);
        lacking = out_of_memory;
        PyEval_RestoreThread(state);
        if (status == 0)
            result = give_all(kernel, results, &call);
        else if (lacking)
            PyErr_Format(PyExc_MemoryError, "%s: not enough memory", kernel->method.ml_name);
        else
            PyErr_Format(PyExc_SystemError, "%s: ended with status %d", kernel->method.ml_name, (int)status);
    }
    for (int i = 0; i < call.held; i++)
        PyBuffer_Release(&call.views[i]);
    return result;
}

/* ----------------------------------------------------------------------------------------- module */

static void free_kernel(PyObject *capsule)
{
    free(PyCapsule_GetPointer(capsule, CAPSULE));
}

static int place_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static PyObject *find(PyObject *self, PyObject *arguments)
{
    const char *name, *level;
    PyObject *capsule, *function, *label;
    Kernel *kernel;
    int place;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "ss", &name, &level))
        return NULL;
    place = place_of(level_names, LEVELS, level);
    for (int i = 0; place >= 0 && i < ENTRIES; i++) {
        if (strcmp(entries[i].name, name) != 0)
            continue;
        kernel = calloc(1, sizeof *kernel);
        if (kernel == NULL)
            return PyErr_NoMemory();
        kernel->entry = &entries[i];
        kernel->level = place;
        read_parameters(kernel, entries[i].parameters);
        read_results(kernel, entries[i].results);
        kernel->method.ml_name = entries[i].name;
        kernel->method.ml_meth = (PyCFunction)(void (*)(void))call_kernel;
        kernel->method.ml_flags = METH_FASTCALL;
        kernel->method.ml_doc = entries[i].parameters;
        capsule = PyCapsule_New(kernel, CAPSULE, free_kernel);
        if (capsule == NULL) {
            free(kernel);
            return NULL;
        }
        label = PyUnicode_FromString("dedup.kernels");
        function = label == NULL ? NULL : PyCFunction_NewEx(&kernel->method, capsule, label);
        Py_XDECREF(label);
        Py_DECREF(capsule);
        return function;
    }
    return Py_NewRef(Py_None);
}

/* Return whether this processor and its operating system can run a level. */
static int able(const char *level)
{
#if defined(__x86_64__)
    int two, three, four;
    __builtin_cpu_init();
    two = __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    three = two && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
            && __builtin_cpu_supports("bmi2");
    four = three && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512vl");
    return strcmp(level, "v2") == 0 ? two : strcmp(level, "v3") == 0 ? three : strcmp(level, "v4") == 0 ? four : 0;
#else
    return level[0] != '\0';
#endif
}

static int install(PyObject *module)
{
    static const char letters[] = "BHIQiqd?";
    PyObject *numpy = PyImport_ImportModule("numpy"), *levels = PyTuple_New(LEVELS), *names = PyTuple_New(ENTRIES);
    if (numpy == NULL || levels == NULL || names == NULL)
        return -1;
    make_array = PyObject_GetAttrString(numpy, "ndarray");
    for (const char *letter = letters; *letter != '\0'; letter++) {
        dtypes[(int)*letter] = PyObject_CallMethod(numpy, "dtype", "s", dtype_name(*letter));
        if (dtypes[(int)*letter] == NULL)
            return -1;
    }
    memory_type = PyType_FromSpec(&memory_spec);
    if (make_array == NULL || memory_type == NULL)
        return -1;
    Py_DECREF(numpy);
    for (int i = 0; i < LEVELS; i++)
        if (PyTuple_SetItem(levels, i, Py_BuildValue("(sO)", level_names[i], able(level_names[i]) ? Py_True : Py_False)) < 0)
            return -1;
    for (int i = 0; i < ENTRIES; i++)
        if (PyTuple_SetItem(names, i, PyUnicode_FromString(entries[i].name)) < 0)
            return -1;
    if (PyModule_AddStringConstant(module, "STAMP", STAMP) < 0 || PyModule_AddObjectRef(module, "LEVELS", levels) < 0
        || PyModule_AddObjectRef(module, "NAMES", names) < 0)
        return -1;
    Py_DECREF(levels);
    Py_DECREF(names);
    return 0;
}

static PyMethodDef functions[] = {
    {"find", find, METH_VARARGS, "find(name, level): the kernel of that name, compiled for a level; None for none."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, install},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "library", "The kernels, compiled ahead of time.", 0, functions, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_library(void)
{
    return PyModuleDef_Init(&definition);
}
