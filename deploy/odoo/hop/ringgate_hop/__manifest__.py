{
    "name": "One hop from 14.0 to 19.0",
    "summary": "Runs OpenUpgrade's scripts of five series in one go. OCA do not support this.",
    "version": "19.0.1.0.0",
    "author": "The authors of Ringgate",
    "license": "AGPL-3",
    "depends": ["base"],
    "installable": True,
}
