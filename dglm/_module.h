/* What makes a library that ctypes loads a module, too, with nothing inside, for those who import all that is in a
   package. It does without Python's headers where there are none. */

#if defined(__has_include)
#if __has_include(<Python.h>)
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#define MODULE(name)                                                                                                   \
    static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, #name, "Loops that ctypes calls.", 0, NULL, NULL, NULL, NULL, NULL}; \
    PyMODINIT_FUNC PyInit_##name(void) { return PyModule_Create(&module); }
#endif
#endif

#ifndef MODULE
#define MODULE(name)
#endif
