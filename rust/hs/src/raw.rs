//! The C declarations used, as in `hs_common.h`, `hs_compile.h` and `hs_runtime.h` of 5.4.

#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_int, c_uint, c_ulonglong, c_void};

pub(crate) const HS_SUCCESS: c_int = 0;
pub(crate) const HS_INVALID: c_int = -1;
pub(crate) const HS_NOMEM: c_int = -2;
pub(crate) const HS_SCAN_TERMINATED: c_int = -3;
pub(crate) const HS_COMPILER_ERROR: c_int = -4;
pub(crate) const HS_ARCH_ERROR: c_int = -11;

pub(crate) const HS_MODE_BLOCK: c_uint = 1;
pub(crate) const HS_MODE_STREAM: c_uint = 2;

#[repr(C)]
pub(crate) struct hs_database_t {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(crate) struct hs_scratch_t {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(crate) struct hs_stream_t {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(crate) struct hs_compile_error_t {
    pub(crate) message: *mut c_char,
    pub(crate) expression: c_int,
}

pub(crate) type match_event_handler = extern "C" fn(
    id: c_uint,
    from: c_ulonglong,
    to: c_ulonglong,
    flags: c_uint,
    context: *mut c_void,
) -> c_int;

unsafe extern "C" {
    pub(crate) fn hs_valid_platform() -> c_int;
    pub(crate) fn hs_version() -> *const c_char;

    pub(crate) fn hs_compile_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        elements: c_uint,
        mode: c_uint,
        platform: *const c_void,
        db: *mut *mut hs_database_t,
        error: *mut *mut hs_compile_error_t,
    ) -> c_int;
    pub(crate) fn hs_free_compile_error(error: *mut hs_compile_error_t) -> c_int;
    pub(crate) fn hs_free_database(db: *mut hs_database_t) -> c_int;
    pub(crate) fn hs_database_size(db: *const hs_database_t, size: *mut usize) -> c_int;
    pub(crate) fn hs_stream_size(db: *const hs_database_t, size: *mut usize) -> c_int;
    pub(crate) fn hs_serialize_database(
        db: *const hs_database_t,
        bytes: *mut *mut c_char,
        length: *mut usize,
    ) -> c_int;
    pub(crate) fn hs_deserialize_database(
        bytes: *const c_char,
        length: usize,
        db: *mut *mut hs_database_t,
    ) -> c_int;

    pub(crate) fn hs_alloc_scratch(
        db: *const hs_database_t,
        scratch: *mut *mut hs_scratch_t,
    ) -> c_int;
    pub(crate) fn hs_clone_scratch(
        source: *const hs_scratch_t,
        destination: *mut *mut hs_scratch_t,
    ) -> c_int;
    pub(crate) fn hs_free_scratch(scratch: *mut hs_scratch_t) -> c_int;

    pub(crate) fn hs_scan(
        db: *const hs_database_t,
        data: *const c_char,
        length: c_uint,
        flags: c_uint,
        scratch: *mut hs_scratch_t,
        on_event: Option<match_event_handler>,
        context: *mut c_void,
    ) -> c_int;
    pub(crate) fn hs_open_stream(
        db: *const hs_database_t,
        flags: c_uint,
        stream: *mut *mut hs_stream_t,
    ) -> c_int;
    pub(crate) fn hs_scan_stream(
        stream: *mut hs_stream_t,
        data: *const c_char,
        length: c_uint,
        flags: c_uint,
        scratch: *mut hs_scratch_t,
        on_event: Option<match_event_handler>,
        context: *mut c_void,
    ) -> c_int;
    pub(crate) fn hs_reset_stream(
        stream: *mut hs_stream_t,
        flags: c_uint,
        scratch: *mut hs_scratch_t,
        on_event: Option<match_event_handler>,
        context: *mut c_void,
    ) -> c_int;
    pub(crate) fn hs_close_stream(
        stream: *mut hs_stream_t,
        scratch: *mut hs_scratch_t,
        on_event: Option<match_event_handler>,
        context: *mut c_void,
    ) -> c_int;

    pub(crate) fn free(pointer: *mut c_void);
}
