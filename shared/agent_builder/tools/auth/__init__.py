"""How a call carries a credential, and how OAuth's tokens are come by."""
