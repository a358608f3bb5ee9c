//! What yoi's two HTTP servers share
