// Anchor of the test support library; its parts lie beside this file.
