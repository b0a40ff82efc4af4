@echo off
rem StableNew. "stablenew --help" tells what else there is.
"%~dp0runtime\node.exe" "%~dp0sidecar\launch.js" %*
